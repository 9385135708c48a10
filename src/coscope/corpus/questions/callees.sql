-- What is called most often?
-- picture: bar callee calls
select callee, count(*) as calls, count(distinct p.package) as packages
from calls
join places p using (file)
group by callee
order by calls desc, callee
limit 40
