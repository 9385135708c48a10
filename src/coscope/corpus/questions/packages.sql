-- How much code is in each package?
-- A content that stands in two packages counts in both.
-- picture: bar package codes
select p.package, count(distinct p.path || p.member) as files, sum(f.codes) as codes,
       sum(f.instructions) as instructions, sum(f.bytes) as bytes
from places p
join files f using (file)
group by p.package
order by codes desc, p.package
