-- Who traces, profiles, or looks into frames?
-- sys.settrace, sys.setprofile, sys.monitoring, sys._getframe and threading's hooks, read or called.
-- picture: bar name packages
select n.name, count(distinct p.package) as packages, sum(n.count) as uses,
       string_agg(distinct p.package, ', ' order by p.package) as who
from names n
join places p using (file)
where n.verb = 'read'
  and regexp_matches(
      n.name,
      '^(sys[.])?(settrace|setprofile|_getframe|_getframemodulename|monitoring)([.].*)?$'
      '|^threading[.](settrace|setprofile).*$'
  )
group by n.name
order by packages desc, n.name
