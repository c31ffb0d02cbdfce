-- None is marked `no-writes`: a replica then refuses all of them, so that nothing is ever
-- read from one. Nothing was done when the server refuses to start a function.

redis.register_function('@NAME@_load', load)
redis.register_function('@NAME@_swap', swap)
redis.register_function('@NAME@_load_all', load_all)
redis.register_function('@NAME@_swap_all', swap_all)
redis.register_function('@NAME@_check', check)
redis.register_function('@NAME@_life', whose)
