-- Which modules are imported by the most packages?
-- Relative imports are left out.
-- picture: bar module packages
select split_part(d.name, '.', 1) as module, count(distinct p.package) as packages,
       count(distinct p.path) as files
from dependencies d
join places p using (file)
where d.kind = 'module' and d.name not like '.%'
group by module
order by packages desc, files desc, module
limit 40
