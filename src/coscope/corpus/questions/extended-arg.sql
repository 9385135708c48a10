-- How often does an argument need more than one byte?
-- Instructions that are EXTENDED_ARG prefixes, by the opcode behind them.
-- picture: bar opname prefixes
with prefixed as (
    select python, opcode, opname,
           lead(opname) over (partition by python, file, code order by index) as behind
    from instructions
)
select behind as opname, count(*) as prefixes
from prefixed
where opname = 'EXTENDED_ARG'
group by behind
order by prefixes desc, opname
