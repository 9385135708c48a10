-- What can the adaptive interpreter specialise here?
-- Instructions whose opcode has specialised forms in its version, by opcode.
-- picture: bar opname instructions
select i.opname, count(*) as instructions,
       round(100.0 * count(*) / sum(count(*)) over (), 2) as percent
from instructions i
join opcodes o on o.version = regexp_extract(i.python, '^[0-9]+[.][0-9]+') and o.opcode = i.opcode
where o.specialises
group by i.opname
order by instructions desc, i.opname
