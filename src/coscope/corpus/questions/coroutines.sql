-- Who writes coroutines?
-- Coroutines and asynchronous generators by package.
-- picture: bar package coroutines
select p.package, count(*) as coroutines,
       count(*) filter (where k.kind = 'async generator') as async_generators
from codes k
join places p using (file)
where k.kind in ('coroutine', 'async generator')
group by p.package
order by coroutines desc, p.package
