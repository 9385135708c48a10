-- Which URLs stand in constants?
-- Docstrings are constants too.
select p.package, p.path, k.qualname,
       regexp_extract(c.text, '(https?|ftp|wss?)://[^\s''"<>)]+') as url
from constants c
join codes k using (file, code)
join places p using (file)
where c.type = 'str' and regexp_matches(c.text, '(https?|ftp|wss?)://[^\s''"<>)]+')
order by url, p.path, k.qualname
