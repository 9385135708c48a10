-- Which code objects declare the deepest stacks?
-- picture: bar qualname stacksize
select package, path, qualname, stacksize
from places_of_codes
order by stacksize desc, path, qualname
limit 25
