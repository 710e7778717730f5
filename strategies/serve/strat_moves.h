/** Caches on their way from prefill to decode replicas. A move is opened, sent in one part or
 *  several, and ends when all of them have arrived. */
#ifndef STRAT_MOVES_H
#define STRAT_MOVES_H

#include "strat_deployment.h"
#include "strat_fine.h"
#include "topo_fabric_change.h"
#include "topo_route.h"

#include <glib.h>

/** The fabric that carries caches; all is borrowed. Ranks are GPUs in order: the prefill replicas,
 *  then the decode replicas; in a replica tensor ranks follow each other, then those of attention
 *  DP, then the stages of the pipeline. */
typedef struct StratMoveFabric {
    const TopoFabric *fabric;
    TopoRouter *router;
    const int64_t *gpu_of_rank;    /* NULL: rank r on GPU r */
    const TopoLinkChange *changes; /* of links during the run */
    size_t change_count;
    int64_t kv_heads; /* that tensor ranks share out; 1 for MLA, whose latent every rank keeps */
} StratMoveFabric;

/** A cache on its way. */
typedef struct StratMove {
    void *sequence;
    int64_t id;        /* of its request */
    size_t from, to;   /* replicas, of each pool from 0 */
    uint32_t flying;   /* flows */
    bool is_sent;      /* no part is to come */
    double left_bytes; /* that no part has had */
    StratFine since;   /* the end of the prompt */
    size_t place;
    guint seat; /* in StratMoves.open */
} StratMove;

/** A part of a cache. */
typedef struct StratMovePart {
    double bytes;
    double made_s; /* above 0: it is computed over so many seconds, and moves no faster than that */
    bool is_last;  /* of its move */
} StratMovePart;

typedef struct StratMoves StratMoves;

/** A way to carry them: embed it first. */
struct StratMoves {
    /** @part of @move sets out at @at, not before what was done last. */
    void (*send)(StratMoves *moves, StratMove *move, const StratMovePart *part, StratFine at);
    /** When something happens next, into @at; false when nothing does. */
    bool (*next)(const StratMoves *moves, StratFine *at);
    /** Does what happens next, which there is: a move that has ended by that, or NULL. */
    StratMove *(*step)(StratMoves *moves);
    /** The links (of TopoHotLink) that held moves back over @end_s; NULL: nobody keeps books. */
    GArray *(*hot_links)(const StratMoves *moves, double end_s);
    /** What made moves impossible, NULL: nothing; borrowed. */
    const GError *(*fault)(const StratMoves *moves);
    void (*free)(StratMoves *moves);
    GPtrArray *open; /* of StratMove, owned */
    bool whole_only; /* moves have one part */
};

/** One link out of each prefill replica and one into each decode replica, each one move at a time
 *  in the order of their starts: bytes / @bytes_per_s (0: no time) + @latency_s. */
StratMoves *strat_moves_in_order_new(const StratDeployment *deployment, double bytes_per_s,
                                     double latency_s);

/** Flows over @fabric. NULL and @error: a fault of the fabric. */
StratMoves *strat_moves_on_fabric_new(const StratDeployment *deployment,
                                      const StratMoveFabric *fabric, GError **error);

/** Opens a move of @sequence, the cache of request @id, from replica @from to replica @to. Owned by
 *  @moves; ends by strat_moves_close(). */
StratMove *strat_moves_open(StratMoves *moves, void *sequence, int64_t id, size_t from, size_t to);
void strat_moves_close(StratMoves *moves, StratMove *move);

void strat_moves_free(StratMoves *moves);

#endif
