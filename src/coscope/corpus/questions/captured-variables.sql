-- How many variables do functions capture?
-- picture: bar captured codes
select freevars as captured, count(*) as codes,
       round(100.0 * count(*) / sum(count(*)) over (), 2) as percent
from codes
group by freevars
order by captured
