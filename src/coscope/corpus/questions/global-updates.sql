-- Which functions read and write the same global?
-- Without the GIL, or between two bytecodes, another thread may write in between. Functions alone:
-- module code runs once.
-- picture: bar package functions
select p.package, count(distinct (k.file, k.code)) as functions,
       string_agg(distinct w.name, ', ' order by w.name) as globals
from names w
join codes k using (file, code)
join names r using (file, code)
join places p using (file)
where w.verb = 'write' and w.space = 'global' and r.verb = 'read' and r.space = 'global'
  and split_part(r.name, '.', 1) = w.name and k.kind <> 'module'
group by p.package
order by functions desc, p.package
