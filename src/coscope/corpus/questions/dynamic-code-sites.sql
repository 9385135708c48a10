-- Where exactly are eval, exec and compile called?
select p.package, p.path, p.member, c.line, k.qualname, c.callee
from calls c
join codes k using (file, code)
join places p using (file)
where c.callee in ('eval', 'exec', 'compile')
order by p.path, p.member, c.line
