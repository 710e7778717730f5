/* A NIC with one way out takes the job down with it: its communicators wait until they give up.
 * With two ports, to two switches of one plane (dual-ToR) or to a plane each, the other port
 * carries on with half the rate (Qian et al., SIGCOMM 2024). Without a second port, the node's
 * other NICs can share its traffic (R2CCL, arXiv 2512.25059). Left out: a second failure of the
 * same NIC, and that stacked dual-ToR pairs failed together. */
#include "strat_failover.h"

#include "sim_row.h"
#include "strat_schedule.h"

static double left_none(int64_t nics)
{
    (void)nics;
    return 0.0;
}

static double left_half(int64_t nics)
{
    (void)nics;
    return 0.5;
}

static double left_others(int64_t nics)
{
    return (double)(nics - 1) / (double)nics;
}

static const StratFailover failovers[] = {
    {.name = "none",       .source = "one port, one switch",            .left = left_none  },
    {.name = "dual-tor",   .source = "Qian et al., SIGCOMM 2024 (HPN)", .left = left_half  },
    {.name = "dual-plane", .source = "Qian et al., SIGCOMM 2024 (HPN)", .left = left_half  },
    {.name = "other-nics", .source = "R2CCL (arXiv 2512.25059)",        .left = left_others},
};

const StratFailover *strat_failover_by_name(const char *name, GError **error)
{
    if (!name)
        return &failovers[0];
    return sim_row_by_name(failovers, G_N_ELEMENTS(failovers), sizeof failovers[0], name,
                           "failover", STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, error);
}
