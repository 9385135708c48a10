-- Which functions have the most local variables?
-- picture: bar qualname nlocals
select package, path, qualname, nlocals
from places_of_codes
order by nlocals desc, path, qualname
limit 25
