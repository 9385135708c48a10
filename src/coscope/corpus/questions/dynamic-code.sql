-- Who calls eval, exec, compile and __import__?
-- The builtins by their own names; `re.compile` and methods of these names are not counted.
-- picture: bar package calls
select p.package, count(*) as calls, count(distinct p.path) as files,
       string_agg(distinct c.callee, ', ' order by c.callee) as callees
from calls c
join places p using (file)
where c.callee in ('eval', 'exec', 'compile', '__import__')
group by p.package
order by calls desc, p.package
