-- Who imports modules that CPython has removed?
-- Modules of the standard library that went in 3.12 (asynchat, asyncore, distutils, imp, smtpd)
-- and in 3.13 (PEP 594).
-- picture: bar module packages
select d.name as module, count(distinct p.package) as packages, count(distinct p.path) as files,
       string_agg(distinct p.package, ', ' order by p.package) as who
from dependencies d
join places p using (file)
where d.kind = 'module'
  and split_part(d.name, '.', 1) in (
      'asynchat', 'asyncore', 'distutils', 'imp', 'smtpd',
      'aifc', 'audioop', 'cgi', 'cgitb', 'chunk', 'crypt', 'imghdr', 'mailcap', 'msilib', 'nis',
      'nntplib', 'ossaudiodev', 'pipes', 'sndhdr', 'spwd', 'sunau', 'telnetlib', 'uu', 'xdrlib',
      'lib2to3'
  )
group by d.name
order by packages desc, module
