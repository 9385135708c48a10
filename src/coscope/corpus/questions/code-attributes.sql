-- Who reads the attributes of code objects and frames?
-- co_lnotab warns since 3.12 and is to go; f_lasti, co_code and the line tables change with each
-- version.
-- picture: bar attribute packages
select n.name as attribute, count(distinct p.package) as packages, sum(n.count) as uses,
       string_agg(distinct p.package, ', ' order by p.package) as who
from names n
join places p using (file)
where n.space = 'attribute'
  and n.name in (
      'co_lnotab', 'co_linetable', 'co_exceptiontable', 'co_code', 'co_consts', 'co_lines',
      'co_positions', 'f_lasti', 'f_locals', 'f_back', 'tb_lasti', '__code__', '__closure__'
  )
group by n.name
order by packages desc, attribute
