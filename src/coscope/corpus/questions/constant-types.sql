-- What kinds of constants are there?
-- picture: bar type constants
select type, count(*) as constants, count(distinct text) as different
from constants
group by type
order by constants desc, type
