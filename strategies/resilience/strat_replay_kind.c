/*
 * The operations of a Megatron-style training step as ByteDance's traces name them (Lin et al.
 * 2025, "Understanding Stragglers in Large Model Training Using What-if Analysis", arXiv
 * 2505.05713; github ByteDance-Seed/StragglerAnalysis, analyzer/metatypes.py).
 *
 * Each kind of send and recv has a stream of its own, the parameters' all-gather another, and all
 * else shares the main one. What counts as communication follows the paper's artifact: the gradient
 * clip does (it waits for everybody's norm), and so does the all-reduce of the norms' gradients,
 * although its group (tensor parallel) is not in the trace and it waits for nobody here.
 */
#include "strat_replay_kind.h"

#include <string.h>

/* clang-format off */
static const StratReplayKindRow kinds[STRAT_REPLAY_KINDS] = {
    [STRAT_REPLAY_FORWARD] = {"forward-compute", "forward-compute", STRAT_REPLAY_ALONE, 0, false},
    [STRAT_REPLAY_BACKWARD] = {"backward-compute", "backward-compute", STRAT_REPLAY_ALONE, 0, false},
    [STRAT_REPLAY_FORWARD_SEND] = {"forward-send", "forward-pp-comm", STRAT_REPLAY_PEER, 1, true},
    [STRAT_REPLAY_FORWARD_RECV] = {"forward-recv", "forward-pp-comm", STRAT_REPLAY_PEER, 2, true},
    [STRAT_REPLAY_BACKWARD_SEND] = {"backward-send", "backward-pp-comm", STRAT_REPLAY_PEER, 3, true},
    [STRAT_REPLAY_BACKWARD_RECV] = {"backward-recv", "backward-pp-comm", STRAT_REPLAY_PEER, 4, true},
    [STRAT_REPLAY_PARAMS_GATHER] = {"params-all-gather", "params-all-gather", STRAT_REPLAY_STAGE, 5, true},
    [STRAT_REPLAY_GRADS_SCATTER] = {"grads-reduce-scatter", "grads-reduce-scatter", STRAT_REPLAY_STAGE, 0, true},
    [STRAT_REPLAY_NORM_GRADS] = {"layernorm-grads-all-reduce", "layernorm-grads-all-reduce", STRAT_REPLAY_ALONE, 0, true},
    [STRAT_REPLAY_EMBEDDING_GRADS] = {"embedding-grads-all-reduce", "embedding-grads-all-reduce", STRAT_REPLAY_ENDS, 0, true},
    [STRAT_REPLAY_CLIP] = {"optimizer-clip-main-grad", "optimizer-clip-main-grad", STRAT_REPLAY_JOB, 0, true},
    [STRAT_REPLAY_OPTIMIZER] = {"optimizer", "optimizer", STRAT_REPLAY_ALONE, 0, false},
    [STRAT_REPLAY_GC] = {"gc", "gc", STRAT_REPLAY_ALONE, 0, false},
};
/* clang-format on */

const StratReplayKindRow *strat_replay_kind(StratReplayKind kind)
{
    return &kinds[kind];
}

bool strat_replay_kind_by_name(const char *name, StratReplayKind *kind)
{
    for (*kind = 0; *kind < STRAT_REPLAY_KINDS; (*kind)++)
        if (strcmp(kinds[*kind].name, name) == 0)
            return true;
    return false;
}
