-- Which opcodes follow one another most often?
-- Neighbours inside one code object, in the order of the bytecode.
-- picture: bar pair occurrences
with neighbours as (
    select regexp_extract(python, '^[0-9]+[.][0-9]+') as version,
           unnest(list_zip(opcodes[:-2], opcodes[2:])) as both
    from stored_instructions
    where len(opcodes) > 1
)
select a.opname || ' ' || b.opname as pair, count(*) as occurrences
from neighbours n
join opcodes a on a.version = n.version and a.opcode = n.both[1]
join opcodes b on b.version = n.version and b.opcode = n.both[2]
group by pair
order by occurrences desc, pair
limit 40
