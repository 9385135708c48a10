-- Which global names does nothing in their file bind?
-- Typing mistakes, names that a metaclass, a test runner or `globals()` provides. Files with
-- `import *` are left out.
select d.name, count(distinct p.path) as files, min(p.path) as for_example
from dependencies d
join places p using (file)
where d.kind = 'unbound'
group by d.name
order by files desc, d.name
limit 50
