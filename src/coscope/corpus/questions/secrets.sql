-- Which constants look like keys or passwords?
-- Known forms of keys (AWS, GitHub, GitLab, Slack, Google, JWT, PEM), and nothing else: each row is
-- to be looked at.
select p.package, p.path, p.member, k.qualname, left(c.text, 12) || '...' as begins, c.length
from constants c
join codes k using (file, code)
join places p using (file)
where c.type in ('str', 'bytes')
  and regexp_matches(
      c.text,
      '(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}'
      '|xox[abprs]-[A-Za-z0-9-]{10}|AIza[A-Za-z0-9_-]{35}|eyJ[A-Za-z0-9_-]{20,}[.]eyJ'
      '|-----BEGIN [A-Z ]*PRIVATE KEY'
  )
order by p.path, k.qualname
