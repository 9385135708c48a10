-- Which bodies stand in more than one package?
-- Code objects of 40 instructions and more with the same bytecode, names and constants.
-- picture: bar qualname packages
select count(distinct p.package) as packages, count(*) as copies, max(k.instructions) as instructions,
       min(k.qualname) as qualname, string_agg(distinct p.package, ', ' order by p.package) as who
from codes k
join places p using (file)
where k.instructions >= 40
group by k.python, k.body
having count(distinct p.package) > 1
order by packages desc, instructions desc, qualname
limit 50
