-- Which files could not be read, and why?
select f.status, f.reason, p.path, p.member
from files f
join places p using (file)
where f.status <> 'read'
order by f.status, p.path, p.member
