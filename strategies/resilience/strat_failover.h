/** What a job does about a network link that is gone. */
#ifndef STRAT_FAILOVER_H
#define STRAT_FAILOVER_H

#include <glib.h>
#include <stdint.h>

/** A kind: one row. */
typedef struct StratFailover {
    const char *name;
    const char *source;
    /* What is left of the bandwidth of the NIC, of @nics in its node; 0: the job stops. */
    double (*left)(int64_t nics);
} StratFailover;

/** The row called @name (NULL: the first); NULL and @error (STRAT_ERROR_UNKNOWN_NAME). */
const StratFailover *strat_failover_by_name(const char *name, GError **error);

#endif
