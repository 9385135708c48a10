-- Which functions capture the most variables?
-- picture: bar qualname freevars
select package, path, qualname, freevars
from places_of_codes
where freevars > 0
order by freevars desc, path, qualname
limit 25
