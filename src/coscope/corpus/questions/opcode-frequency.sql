-- Which opcodes are the most frequent?
-- Every instruction counts once, EXTENDED_ARG prefixes included.
-- picture: bar opname instructions
select opname, count(*) as instructions,
       round(100.0 * count(*) / sum(count(*)) over (), 2) as percent
from instructions
group by opname
order by instructions desc, opname
limit 40
