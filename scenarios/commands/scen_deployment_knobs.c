/* Knobs of a deployment: one change at a time, on the same GPUs.
 *
 * A row turns one knob of `serve:` by one notch, or says that there is nothing to turn. The answers
 * stay what they were: types of weights and cache, and what is speculated by how much, are no knobs
 * here. Replicas that both sides of a split need are left to the checks, which know the GPUs
 * (replicas 0). Whether what comes out is sound and fits is for the caller to find out. */
#include "scen_deployment_knobs.h"

/* Twice, or half, of @value; false where it has no half. */
static bool turn(int64_t *value, bool up)
{
    bool turned = up || *value % 2 == 0;
    *value = up ? *value * 2 : *value / 2;
    return turned;
}

/* The same for a size of the replicas of all pools; their number goes the other way. */
static bool turn_size(ScenServing *serving, int64_t *own, int64_t *prefill, bool up)
{
    bool turned = turn(own, up);
    serving->pool.replicas = 0;
    if (serving->prefill.replicas > 0)
        turned = turned && turn(prefill, up) && turn(&serving->prefill.replicas, !up);
    return turned;
}

static bool tensor_up(ScenServing *serving)
{
    return turn_size(serving, &serving->pool.tensor, &serving->prefill.tensor, true);
}

static bool tensor_down(ScenServing *serving)
{
    return turn_size(serving, &serving->pool.tensor, &serving->prefill.tensor, false);
}

static bool pipeline_up(ScenServing *serving)
{
    return turn_size(serving, &serving->pool.pipeline, &serving->prefill.pipeline, true);
}

static bool pipeline_down(ScenServing *serving)
{
    return turn_size(serving, &serving->pool.pipeline, &serving->prefill.pipeline, false);
}

static bool data_up(ScenServing *serving)
{
    return turn_size(serving, &serving->pool.data, &serving->prefill.data, true);
}

static bool data_down(ScenServing *serving)
{
    return turn_size(serving, &serving->pool.data, &serving->prefill.data, false);
}

static bool expert_up(ScenServing *serving)
{
    return turn(&serving->pool.expert, true);
}

static bool expert_down(ScenServing *serving)
{
    return turn(&serving->pool.expert, false);
}

/* One prefill replica more or fewer, and decode replicas on what is left. */
static bool prefill_more(ScenServing *serving)
{
    bool turned = serving->prefill.replicas > 0;
    serving->prefill.replicas++;
    serving->pool.replicas = 0;
    return turned;
}

static bool prefill_fewer(ScenServing *serving)
{
    bool turned = serving->prefill.replicas > 1;
    serving->prefill.replicas--;
    serving->pool.replicas = 0;
    return turned;
}

static bool tokens_up(ScenServing *serving)
{
    return turn(&serving->engine.row.max_tokens, true);
}

static bool tokens_down(ScenServing *serving)
{
    return turn(&serving->engine.row.max_tokens, false);
}

static bool sequences_up(ScenServing *serving)
{
    return turn(&serving->engine.row.max_sequences, true);
}

static bool sequences_down(ScenServing *serving)
{
    return turn(&serving->engine.row.max_sequences, false);
}

static const ScenDeploymentKnob knobs[] = {
    {"more tensor parallelism",        tensor_up     },
    {"less tensor parallelism",        tensor_down   },
    {"longer pipeline",                pipeline_up   },
    {"shorter pipeline",               pipeline_down },
    {"more attention data parallel",   data_up       },
    {"less attention data parallel",   data_down     },
    {"experts over more ranks",        expert_up     },
    {"experts over fewer ranks",       expert_down   },
    {"one more prefill replica",       prefill_more  },
    {"one less prefill replica",       prefill_fewer },
    {"twice the tokens an iteration",  tokens_up     },
    {"half the tokens an iteration",   tokens_down   },
    {"twice the sequences in a batch", sequences_up  },
    {"half the sequences in a batch",  sequences_down},
};

const ScenDeploymentKnob *scen_deployment_knob_all(size_t *count)
{
    *count = G_N_ELEMENTS(knobs);
    return knobs;
}
