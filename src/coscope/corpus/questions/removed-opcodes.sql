-- Which opcodes here does a later CPython no longer have?
-- Code objects that use an opcode whose name the next version's table does not define.
-- picture: bar opname codes
with versions as (
    select version, lead(version) over (order by string_split(version, '.')[2]::int) as later
    from (select distinct version from opcodes)
),
used as (
    select regexp_extract(python, '^[0-9]+[.][0-9]+') as version, opname,
           count(distinct (file, code)) as codes, count(*) as instructions
    from instructions
    group by all
)
select u.opname, u.version, v.later as removed_in, u.codes, u.instructions
from used u
join versions v using (version)
where v.later is not null
  and not exists (
      select 1 from opcodes o where o.version = v.later and o.opname = u.opname
  )
order by u.codes desc, u.opname
