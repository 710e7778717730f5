/* The plans as rows. A node of six or five GPUs cuts tensor groups of four and data groups of all
 * sizes at different places, so that ranks of one stage see different wires: where folding is hard.
 * Domains larger than a node (72 of 4) and smaller (2 of 8) are here as well. */
#include "toy_plans.h"

enum {
    DATA = 1,        /* overlaps */
    TENSOR = 2,      /* chunked */
    BACKWARD = 4,    /* tensor, the backward's */
    SENDS = 8,       /* pipeline */
    SEQUENCE = 16,   /* sequence parallelism */
    UNTIED = 32,     /* two vocabulary matrices */
    COUNT_ENDS = 64, /* embedding and head take a layer's place */
    UNFUSED = 128,   /* attention */
    GROUPED = 256,   /* 4 key/value heads, gated MLP, rotary */
    GPIPE = 512,
    KEEP = 1024, /* weights gathered for the forward, until the backward */
    NO_SYNC = 2048,
    COPIES = 4096,   /* two of what is sharded */
    EXPERTS = 8192,  /* 8 a layer but the first, over 2 ranks */
    CUT = 16384,     /* each of them cut by the tensor group */
    KERNELS = 32768, /* that send a token once to a domain */
    DUAL = 65536,    /* DualPipe */
    HALF = 131072,   /* DualPipeV */
};

static const struct {
    int64_t tensor, context, pipeline, chunks, data, microbatches;
    int64_t node, domain; /* GPUs */
    int64_t layers, zero;
    unsigned flags;
} rows[] = {
    {1,  1, 1,  1, 1,  4,  8, 8,  8,  0, 0                                       },
    {2,  1, 1,  1, 2,  3,  8, 8,  8,  0, 0                                       },
    {8,  1, 1,  1, 1,  2,  8, 8,  8,  0, BACKWARD                                },
    {1,  1, 4,  1, 1,  8,  8, 8,  8,  0, 0                                       },
    {1,  1, 4,  1, 1,  8,  8, 8,  8,  0, SENDS | GPIPE                           },
    {4,  1, 1,  1, 6,  2,  6, 6,  8,  0, 0                                       },
    {4,  1, 1,  1, 6,  2,  6, 6,  8,  1, DATA                                    },
    {4,  1, 2,  1, 3,  4,  6, 6,  8,  1, 0                                       },
    {4,  1, 3,  1, 4,  6,  6, 6,  8,  0, DATA | SENDS                            },
    {4,  1, 3,  1, 4,  6,  5, 5,  10, 1, DATA | SENDS | SEQUENCE                 },
    {2,  2, 2,  1, 4,  4,  6, 6,  7,  1, DATA | BACKWARD                         },
    {2,  4, 1,  1, 2,  3,  8, 8,  8,  0, GROUPED                                 },
    {1,  2, 2,  1, 2,  4,  4, 4,  8,  1, DATA | SENDS | GROUPED                  },
    {2,  1, 4,  2, 2,  8,  8, 8,  8,  0, SENDS                                   },
    {2,  1, 4,  2, 2,  4,  8, 8,  16, 1, DATA | SENDS | SEQUENCE                 },
    {4,  1, 4,  2, 3,  12, 6, 6,  16, 1, DATA                                    },
    {2,  1, 3,  3, 2,  6,  5, 5,  18, 0, BACKWARD | SEQUENCE                     },
    {8,  1, 8,  1, 8,  16, 8, 8,  8,  1, DATA | SENDS | SEQUENCE | TENSOR        },
    {8,  1, 8,  1, 8,  16, 6, 6,  11, 0, UNTIED                                  },
    {4,  2, 4,  1, 16, 8,  8, 8,  8,  1, DATA | TENSOR | BACKWARD | SENDS        },
    {4,  1, 4,  1, 18, 4,  4, 72, 8,  1, DATA | SENDS                            },
    {4,  1, 2,  1, 8,  4,  8, 2,  8,  0, BACKWARD | UNFUSED                      },
    {16, 1, 2,  1, 4,  4,  8, 8,  8,  1, SEQUENCE | BACKWARD                     },
    {2,  1, 16, 1, 2,  32, 8, 8,  14, 0, COUNT_ENDS                              },
    {1,  1, 7,  1, 5,  14, 6, 6,  9,  1, UNTIED | SENDS                          },
    {2,  3, 2,  1, 5,  3,  6, 6,  8,  1, DATA                                    },
    {1,  1, 1,  1, 64, 2,  8, 8,  8,  1, DATA                                    },
    {1,  1, 2,  1, 30, 2,  7, 7,  5,  1, DATA | UNFUSED                          },
    {4,  1, 2,  2, 13, 2,  6, 6,  8,  1, DATA | SENDS | GROUPED                  },
    {1,  4, 2,  1, 1,  4,  8, 8,  8,  0, SENDS                                   },
    {1,  1, 2,  1, 8,  4,  8, 8,  8,  1, DATA | EXPERTS                          },
    {1,  1, 1,  1, 12, 2,  6, 6,  4,  1, EXPERTS | KERNELS                       },
    {2,  1, 2,  1, 5,  4,  6, 6,  6,  1, DATA | SENDS | SEQUENCE | EXPERTS       },
    {2,  3, 2,  1, 4,  4,  5, 5,  6,  0, SEQUENCE | EXPERTS | CUT                },
    {4,  1, 2,  2, 3,  2,  6, 6,  8,  1, DATA | SEQUENCE | EXPERTS               },
    {1,  3, 1,  1, 4,  2,  8, 8,  4,  1, EXPERTS                                 },
    {4,  1, 1,  1, 6,  3,  6, 6,  8,  2, DATA                                    },
    {2,  1, 2,  1, 5,  4,  6, 6,  8,  2, NO_SYNC                                 },
    {4,  1, 1,  1, 6,  2,  6, 6,  8,  3, DATA                                    },
    {2,  2, 1,  1, 4,  3,  6, 6,  7,  3, DATA | BACKWARD | COPIES                },
    {4,  1, 3,  1, 4,  6,  5, 5,  10, 3, DATA | SENDS | SEQUENCE | KEEP          },
    {2,  1, 4,  2, 4,  8,  8, 8,  16, 3, DATA | KEEP | NO_SYNC | COPIES          },
    {1,  2, 2,  1, 6,  4,  5, 5,  9,  3, SENDS | UNTIED | COPIES                 },
    {1,  1, 1,  1, 30, 2,  7, 7,  5,  3, DATA | UNTIED | NO_SYNC                 },
    {2,  1, 2,  1, 12, 2,  6, 6,  8,  1, DATA | COPIES                           },
    {4,  1, 4,  2, 3,  8,  6, 6,  9,  1, DATA | DUAL                             },
    {1,  2, 4,  2, 2,  10, 5, 5,  7,  0, SENDS | UNTIED | DUAL                   },
    {2,  1, 2,  2, 5,  6,  6, 6,  6,  1, DATA | SENDS | SEQUENCE | EXPERTS | DUAL},
    {1,  1, 6,  2, 4,  12, 7, 7,  6,  0, DATA | COUNT_ENDS | DUAL                },
    {2,  1, 3,  2, 4,  7,  5, 5,  12, 1, DATA | HALF                             },
};

size_t toy_plan_count(void)
{
    return G_N_ELEMENTS(rows);
}

void toy_make_experts(ToyWorld *world, int64_t ranks, int64_t cut)
{
    world->model.experts = 8;
    world->model.experts_per_token = 2;
    world->model.expert_ffn = 512;
    world->model.dense_layers = 1;
    world->plan.expert = ranks;
    world->plan.expert_tensor = cut;
    world->plan.zero_stage = MIN(world->plan.zero_stage, 1); /* more is refused with experts */
    world->plan.shard = 0;
    world->plan.no_sync = false;
    world->plan.reshard_after_forward = true;
    world->plan.sequence_parallel = world->plan.sequence_parallel || world->plan.tensor > 1;
}

static const TopoExpertFit kernels = {
    .name = "toy-kernels",
    .algorithm = "expert-two-level",
    .dispatch = {.base_s = 3e-6, .ramp_bytes = 1e6, .inside_fraction = 0.7, .across_fraction = 0.9},
    .combine = {.base_s = 5e-6, .ramp_bytes = 1e6, .inside_fraction = 0.6, .across_fraction = 0.8},
};

static void set_wires(TopoNode *node)
{
    node->scale_up_protocols = toy_wires(1.0, 7e-6, 0.6e-6);
    node->scale_out_protocols = toy_wires(1.0, 19e-6, 3.1e-6);
    node->scale_up_latency_s = 1e-6;
    node->nic_latency_s = 2e-6;
}

ToyWorld toy_plan_at(size_t index)
{
    ToyWorld world = toy_world();
    StratPlan *plan = &world.plan;
    unsigned flags = rows[index].flags;
    plan->tensor = rows[index].tensor;
    plan->context = rows[index].context;
    plan->pipeline = rows[index].pipeline;
    plan->virtual_stages = rows[index].chunks;
    plan->zero_stage = rows[index].zero;
    plan->sequence_length = 768;
    plan->reshard_after_forward = !(flags & KEEP);
    plan->no_sync = flags & NO_SYNC;
    plan->shard = flags & COPIES ? rows[index].data * rows[index].context / 2 : 0;
    plan->overlap_data = flags & DATA;
    plan->overlap_tensor = flags & TENSOR;
    plan->overlap_tensor_backward = flags & BACKWARD;
    plan->overlap_pipeline = flags & SENDS;
    plan->sequence_parallel = flags & SEQUENCE;
    plan->count_embedding = plan->count_head = flags & COUNT_ENDS;
    plan->attention = flags & UNFUSED ? STRAT_ATTENTION_UNFUSED : STRAT_ATTENTION_FLASH;
    world.model.layers = rows[index].layers;
    world.model.tied_embeddings = !(flags & UNTIED);
    if (flags & GROUPED) {
        world.model.kv_heads = 4;
        world.model.gated_mlp = true;
        world.model.position = MODEL_POSITION_ROTARY;
    }
    world.cluster.node.gpus = world.cluster.node.nics = rows[index].node;
    world.cluster.node.scale_up_gpus = rows[index].domain;
    set_wires(&world.cluster.node);
    toy_lay_out(&world, rows[index].data, rows[index].microbatches);
    if (flags & (GPIPE | DUAL | HALF))
        plan->schedule = flags & GPIPE ? "gpipe" : flags & DUAL ? "dualpipe" : "dualpipe-v";
    plan->overlap_expert = flags & DUAL;
    if (flags & EXPERTS)
        toy_make_experts(&world, 2, flags & CUT ? plan->tensor : 1);
    if (flags & KERNELS)
        plan->expert_kernels = kernels;
    return world;
}

char *toy_plan_describe(const ToyWorld *world)
{
    const StratPlan *p = &world->plan;
    return g_strdup_printf(
        "tensor %d context %d pipeline %d x %d data %d expert %d x %d, %d GPUs in domains of %d, "
        "ZeRO %d shard %d, overlap%s%s%s%s",
        (int)p->tensor, (int)p->context, (int)p->pipeline, (int)p->virtual_stages, (int)p->data,
        (int)p->expert, (int)p->expert_tensor, (int)world->cluster.gpu_count,
        (int)world->cluster.node.scale_up_gpus, (int)p->zero_stage, (int)p->shard,
        p->overlap_data ? " data" : "", p->overlap_tensor ? " tensor" : "",
        p->overlap_tensor_backward ? " backward" : "", p->overlap_pipeline ? " sends" : "");
}

/* A number from 0 to @below - 1. */
static int64_t draw(SimRandom *stream, int64_t below)
{
    return (int64_t)sim_random_below(stream, (uint64_t)below);
}

ToyWorld toy_plan_random(SimRandom *stream)
{
    ToyWorld world = toy_plan_at((size_t)draw(stream, (int64_t)toy_plan_count()));
    StratPlan *plan = &world.plan;
    plan->tensor = INT64_C(1) << draw(stream, 3);
    plan->context = 1 + draw(stream, 3);
    plan->pipeline = 1 + draw(stream, 4);
    plan->virtual_stages = plan->pipeline > 1 ? 1 + draw(stream, 2) : 1;
    plan->sequence_parallel = draw(stream, 2);
    plan->overlap_data = draw(stream, 2);
    plan->overlap_pipeline = draw(stream, 2);
    plan->zero_stage = draw(stream, 4);
    plan->reshard_after_forward = draw(stream, 2);
    plan->no_sync = draw(stream, 2);
    plan->prefetch = draw(stream, 3);
    plan->count_embedding = plan->count_head = false;
    world.model.layers = plan->pipeline * plan->virtual_stages * (1 + draw(stream, 3));
    world.model.layers += plan->virtual_stages == 1 ? draw(stream, plan->pipeline) : 0;
    world.cluster.node.gpus = world.cluster.node.nics = 2 + draw(stream, 8);
    world.cluster.node.scale_up_gpus = world.cluster.node.gpus;
    toy_lay_out(&world, 1 + draw(stream, 6), plan->pipeline * (1 + draw(stream, 2)));
    int64_t all = plan->data * plan->context, copies = 1 + draw(stream, 3);
    plan->shard = all % copies == 0 ? all / copies : 0;
    plan->expert = 0;
    world.model.experts = 0;
    int64_t ranks = INT64_C(1) << draw(stream, 4), cut = draw(stream, 2) ? plan->tensor : 1;
    if (draw(stream, 2) && plan->tensor * plan->context * plan->data % (ranks * cut) == 0)
        toy_make_experts(&world, ranks, cut);
    plan->overlap_expert = draw(stream, 2);
    /* Heads are a power of two, so that two ranks may exchange them and three may not. */
    int64_t kinds = plan->context == 2 ? STRAT_CONTEXT_ULYSSES : STRAT_CONTEXT_ALL_GATHER;
    plan->context_parallel.kind = (StratContextKind)draw(stream, kinds + 1);
    if (plan->context_parallel.kind != STRAT_CONTEXT_ULYSSES)
        plan->context_parallel.order = (StratContextOrder)draw(stream, 2);
    return world;
}

void toy_wear(const ToyWorld *world, SimRandom *stream, ToyWorn *worn)
{
    const TopoCluster *cluster = &world->cluster;
    *worn = (ToyWorn){
        .state = {.slow = worn->slow, .weak = worn->weak}
    };
    int64_t gpus = cluster->node_count * cluster->node.gpus, gpu = draw(stream, gpus);
    for (int64_t count = draw(stream, TOY_WORN_MAX + 1); count > 0 && gpu < gpus; count--) {
        worn->slow[worn->state.slow_count++] =
            (StratSlowGpu){gpu, 1.0 - 0.1 * (double)(1 + draw(stream, 3))};
        gpu += draw(stream, 1 + gpus / 3);
    }
    int64_t nics = cluster->node_count * cluster->node.nics, nic = draw(stream, nics);
    for (int64_t count = draw(stream, TOY_WORN_MAX + 1); count > 0 && nic < nics; count--) {
        bool may_die = nic % cluster->node.nics > 0;
        worn->weak[worn->state.weak_count++] =
            (StratWeakNic){nic / cluster->node.nics, nic % cluster->node.nics,
                           0.25 * (double)(may_die ? draw(stream, 4) : 1 + draw(stream, 3))};
        nic += 1 + draw(stream, 1 + nics / 3);
    }
}
