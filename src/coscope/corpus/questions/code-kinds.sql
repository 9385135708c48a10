-- What kinds of code objects are there?
-- picture: bar kind codes
select kind, count(*) as codes, sum(instructions) as instructions,
       round(avg(instructions), 1) as average
from codes
group by kind
order by codes desc, kind
