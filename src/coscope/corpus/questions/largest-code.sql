-- Which code objects are the largest?
-- picture: bar qualname instructions
select package, path, qualname, kind, instructions, bytes, blocks
from places_of_codes
order by instructions desc, path, qualname
limit 25
