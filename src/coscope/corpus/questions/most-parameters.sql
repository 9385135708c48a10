-- Which functions take the most parameters?
-- *args and **kwargs are not counted.
-- picture: bar qualname parameters
select package, path, qualname, argcount + kwonlyargcount as parameters
from places_of_codes
order by parameters desc, path, qualname
limit 25
