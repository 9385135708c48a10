-- How many functions handle exceptions?
-- A row of the exception table means try, with, or a comprehension that puts a variable away
-- (CPython 3.11 and later).
-- picture: bar kind percent
select kind, count(*) as codes, count(*) filter (where regions > 0) as with_handler,
       round(100.0 * count(*) filter (where regions > 0) / count(*), 1) as percent
from codes
group by kind
order by codes desc, kind
