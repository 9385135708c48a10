-- Which binary operations are used?
-- BINARY_OP by its argument: 0 is +, 13 is +=; see the `binary` list of the version's table.
-- picture: bar oparg instructions
select oparg, count(*) as instructions
from instructions
where opname = 'BINARY_OP'
group by oparg
order by instructions desc, oparg
