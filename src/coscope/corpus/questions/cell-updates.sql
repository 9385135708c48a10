-- Which nested functions read and write the same captured variable?
-- An upper bound of what a race could break: any read and any write in one function count.
-- picture: bar package functions
select p.package, count(distinct (w.file, w.code)) as functions
from names w
join names r using (file, code)
join cells c on c.file = w.file and c.code = w.code and c.name = w.name and c.kind = 'free'
join places p on p.file = w.file
where w.verb = 'write' and w.space = 'cell' and r.verb = 'read' and r.space = 'cell'
  and split_part(r.name, '.', 1) = w.name
group by p.package
order by functions desc, p.package
