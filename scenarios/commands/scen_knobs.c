/* Knobs: one change of a plan at a time.
 *
 * A row turns one knob of a plan, or says that there is nothing to turn. Nothing here changes what
 * is learnt: batch, sequence, precision and model stay. Whether a turned plan is sound, fits and
 * helps is found out by scen_knob_search.c. */
#include "scen_knobs.h"

static bool turn_flash(StratPlan *plan)
{
    bool turned = plan->attention != STRAT_ATTENTION_FLASH;
    plan->attention = STRAT_ATTENTION_FLASH;
    return turned;
}

static bool turn_selective(StratPlan *plan)
{
    bool turned = plan->recompute == STRAT_RECOMPUTE_FULL;
    plan->recompute = STRAT_RECOMPUTE_SELECTIVE;
    return turned;
}

static bool turn_no_recompute(StratPlan *plan)
{
    bool turned = plan->recompute != STRAT_RECOMPUTE_NONE;
    plan->recompute = STRAT_RECOMPUTE_NONE;
    return turned;
}

static bool turn_sequence_parallel(StratPlan *plan)
{
    bool turned = plan->tensor > 1 && !plan->sequence_parallel;
    plan->sequence_parallel = true;
    return turned;
}

static bool turn_overlap_data(StratPlan *plan)
{
    bool turned = plan->data * plan->context > 1 && !plan->overlap_data;
    plan->overlap_data = true;
    return turned;
}

static bool turn_overlap_tensor(StratPlan *plan)
{
    bool turned = plan->tensor > 1 && !plan->overlap_tensor;
    plan->overlap_tensor = true;
    return turned;
}

static bool turn_overlap_backward(StratPlan *plan)
{
    bool turned = plan->tensor > 1 && !plan->overlap_tensor && !plan->overlap_tensor_backward;
    plan->overlap_tensor_backward = true;
    return turned;
}

static bool turn_overlap_pipeline(StratPlan *plan)
{
    bool turned = plan->pipeline > 1 && !plan->overlap_pipeline;
    plan->overlap_pipeline = true;
    return turned;
}

static bool turn_ring(StratPlan *plan)
{
    bool turned = plan->context > 1 && plan->context_parallel.kind == STRAT_CONTEXT_ALL_GATHER;
    plan->context_parallel.kind = STRAT_CONTEXT_RING;
    return turned;
}

static bool turn_shard_optimizer(StratPlan *plan)
{
    bool turned = plan->data * plan->context > 1 && plan->zero_stage == 0;
    plan->zero_stage = 1;
    return turned;
}

static bool turn_replicate_optimizer(StratPlan *plan)
{
    bool turned = plan->data * plan->context > 1 && plan->zero_stage == 1;
    plan->zero_stage = 0;
    return turned;
}

static bool turn_micro_batch_up(StratPlan *plan)
{
    plan->micro_batch *= 2;
    return true;
}

static bool turn_micro_batch_down(StratPlan *plan)
{
    bool turned = plan->micro_batch % 2 == 0;
    plan->micro_batch /= 2;
    return turned;
}

/* Chunks and schedule go together. */
static bool set_chunks(StratPlan *plan, int64_t chunks)
{
    if (plan->pipeline == 1 || chunks < 1)
        return false;
    plan->virtual_stages = chunks;
    plan->schedule = chunks > 1 ? "interleaved-1f1b" : "1f1b";
    return true;
}

static bool turn_chunks_up(StratPlan *plan)
{
    return set_chunks(plan, plan->virtual_stages * 2);
}

static bool turn_chunks_down(StratPlan *plan)
{
    return plan->virtual_stages > 1 && set_chunks(plan, plan->virtual_stages / 2);
}

static bool turn_tensor_down(StratPlan *plan)
{
    bool turned = plan->tensor % 2 == 0;
    plan->tensor /= 2;
    plan->data *= 2;
    plan->sequence_parallel = plan->sequence_parallel && plan->tensor > 1;
    return turned;
}

static bool turn_tensor_up(StratPlan *plan)
{
    bool turned = plan->data % 2 == 0;
    plan->tensor *= 2;
    plan->data /= 2;
    return turned;
}

/* A pipeline of one stage has no schedule and no chunks. */
static bool turn_pipeline_down(StratPlan *plan)
{
    bool turned = plan->pipeline % 2 == 0;
    plan->pipeline /= 2;
    plan->data *= 2;
    if (plan->pipeline == 1) {
        plan->virtual_stages = 1;
        plan->schedule = "none";
    }
    return turned;
}

static bool turn_pipeline_up(StratPlan *plan)
{
    bool turned = plan->data % 2 == 0;
    plan->pipeline *= 2;
    plan->data /= 2;
    if (g_str_equal(plan->schedule, "none"))
        plan->schedule = "1f1b";
    return turned;
}

static const ScenKnob knobs[] = {
    {"recompute only attention",      turn_selective          },
    {"recompute nothing",             turn_no_recompute       },
    {"fused attention",               turn_flash              },
    {"sequence parallelism",          turn_sequence_parallel  },
    {"hide data-parallel traffic",    turn_overlap_data       },
    {"hide tensor-parallel traffic",  turn_overlap_tensor     },
    {"hide it in the backward alone", turn_overlap_backward   },
    {"hide pipeline traffic",         turn_overlap_pipeline   },
    {"keys round a ring",             turn_ring               },
    {"shard the optimizer",           turn_shard_optimizer    },
    {"replicate the optimizer",       turn_replicate_optimizer},
    {"larger microbatches",           turn_micro_batch_up     },
    {"smaller microbatches",          turn_micro_batch_down   },
    {"more chunks a stage",           turn_chunks_up          },
    {"fewer chunks a stage",          turn_chunks_down        },
    {"less tensor parallelism",       turn_tensor_down        },
    {"more tensor parallelism",       turn_tensor_up          },
    {"shorter pipeline",              turn_pipeline_down      },
    {"longer pipeline",               turn_pipeline_up        },
};

const ScenKnob *scen_knob_all(size_t *count)
{
    *count = G_N_ELEMENTS(knobs);
    return knobs;
}
