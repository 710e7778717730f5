/** What a scheduler decides, iteration by iteration, as text to compare with a schedule by hand. */
#ifndef SERVE_LOG_H
#define SERVE_LOG_H

#include "strat_engine.h"
#include "strat_kv_tiers.h"
#include "strat_request.h"

/** What lies behind the GPU. */
typedef struct ServeHost {
    int64_t blocks;      /* for the swapped */
    double swap_block_s; /* to move one */
    const StratKvTier *tier;
    size_t tiers;
    bool counts; /* lines end with the blocks that the iteration has, " =B" */
} ServeHost;

/** Serves @request[0 .. count), in order of arrival, on one replica of @engine with @blocks blocks
 *  and hashed pages of @page_tokens. Each iteration takes one second and gives one line
 *
 *      T: D D ... +P/N ... -V ...
 *
 *  T the second in which it starts, D the requests that decode, P/N a chunk of N tokens of the
 *  prompt of P, V those that were preempted first; all by id. A group of N rows is "DxN"; sample S
 *  of a request whose samples are sequences is "D.S", and its preemptions are not told. Free with
 * g_free(). */
char *serve_log(const StratEngine *engine, int64_t blocks, int64_t page_tokens,
                const StratRequest *request, size_t count);

/** The same with @host behind the GPU. */
char *serve_log_host(const StratEngine *engine, int64_t blocks, int64_t page_tokens,
                     const ServeHost *host, const StratRequest *request, size_t count);

/** A request at @at_s with @input and @output tokens and no pages. */
StratRequest serve_request(int64_t id, double at_s, int64_t input, int64_t output);

#endif
