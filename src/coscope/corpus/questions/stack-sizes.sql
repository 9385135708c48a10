-- How deep do stacks get?
-- Quantiles of co_stacksize over all code objects.
-- picture: bar quantile slots
with q as (
    select quantile_disc(stacksize, [0.5, 0.9, 0.99, 0.999, 1.0]) as values from codes
)
select unnest(['half', '90 %', '99 %', '99.9 %', 'all']) as quantile, unnest(values) as slots
from q
