/* The world that tests share. Rates are powers of ten so that a closed form can be worked out on
 * paper; wires carry exactly their rate and start at once, so what a test wants to be slow it sets.
 */
#include "toy_world.h"

static const ModelSpec gpt = {
    .name = "toy-gpt",
    .source = "round numbers",
    .layers = 8,
    .hidden = 1024,
    .heads = 16,
    .kv_heads = 16,
    .head_dim = 64,
    .ffn = 4096,
    .vocab = 8192,
    .max_sequence = 1024,
    .tied_embeddings = true,
    .linear_bias = true,
    .position = MODEL_POSITION_LEARNED,
    .norm = MODEL_NORM_LAYERNORM,
};

static const StratPlan plan = {
    .name = "toy-plan",
    .tensor = 1,
    .context = 1,
    .pipeline = 1,
    .virtual_stages = 1,
    .data = 1,
    .micro_batch = 1,
    .global_batch = 1,
    .sequence_length = 1024,
    .schedule = "none",
    .attention = STRAT_ATTENTION_FLASH,
    .precision = TOPO_DTYPE_BF16,
    .gradients = TOPO_DTYPE_FP32,
    .optimizer = STRAT_OPTIMIZER_ADAM,
    .fused_kernels = true,
    .reshard_after_forward = true,
    .prefetch = 1,
};

static const KernGemmFit gemm = {
    .compute_fraction = 0.8,
    .wave_quantisation = 1.0,
    .memory_fraction = 1.0,
    .launch_s = 1e-6,
    .rows = 1,
};

TopoProtocolFits toy_wires(double fraction, double base_s, double hop_s)
{
    TopoProtocolFits fits = {.name = "toy-wires", .channels = 1};
    for (int op = 0; op < TOPO_PROTOCOL_OPS; op++) {
        fits.op[op].protocol[TOPO_PROTOCOL_SIMPLE] = (TopoProtocolTerm){base_s, hop_s, fraction};
        fits.op[op].bulk_bias = 1.0;
    }
    return fits;
}

static TopoNode node(void)
{
    TopoNode eight = {
        .name = "toy-node",
        .gpu = {.name = "toy-gpu",
                .memory_bytes = 80e9,
                .memory_bytes_per_s = 1e12,
                .multiprocessors = 100,
                .boost_clock_hz = 1e9},
        .gpus = 8,
        .scale_up_gpus = 8,
        .scale_up = "nvswitch",
        .scale_up_bytes_per_s = 1e11,
        .nics = 8,
        .nic_bytes_per_s = 1e10,
        .scale_up_protocols = toy_wires(1.0, 0.0, 0.0),
        .scale_out_protocols = toy_wires(1.0, 0.0, 0.0),
    };
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        eight.gpu.peak_flop_per_s[t] = 1e14;
    return eight;
}

static KernProfile profile(void)
{
    KernProfile toy = {
        .name = "toy-profile",
        .attention = {.forward_fraction = 0.5,
                      .backward_fraction = 0.5,
                      .launch_s = 1e-6,
                      .rows = 1},
        .memory = {.fraction = 1.0,               .launch_s = 1e-6             },
        .sustained_clock_fraction = 1.0,
    };
    for (int t = 0; t < TOPO_DTYPE_COUNT; t++)
        toy.gemm[t] = gemm;
    return toy;
}

ToyWorld toy_world(void)
{
    ToyWorld world = {.model = gpt, .plan = plan, .profile = profile()};
    world.cluster.name = "toy-cluster";
    world.cluster.node = node();
    toy_lay_out(&world, 1, 1);
    return world;
}

void toy_lay_out(ToyWorld *world, int64_t data, int64_t microbatches)
{
    StratPlan *p = &world->plan;
    TopoCluster *cluster = &world->cluster;
    p->data = data;
    p->global_batch = p->micro_batch * data * microbatches;
    p->schedule = p->pipeline == 1 ? "none" : p->virtual_stages == 1 ? "1f1b" : "interleaved-1f1b";
    cluster->gpu_count = strat_rank_count(p);
    cluster->node_count = (cluster->gpu_count + cluster->node.gpus - 1) / cluster->node.gpus;
}

StratCosting toy_costing(const ToyWorld *world)
{
    return (StratCosting){
        .model = &world->model,
        .plan = &world->plan,
        .cluster = &world->cluster,
        .net = topo_net_by_name(NULL, NULL),
        .device = {.gpu = &world->cluster.node.gpu,
                   .profile = &world->profile,
                   .clock_fraction = world->profile.sustained_clock_fraction},
    };
}

static double at_once(const TopoCluster *cluster, const TopoTransfer *transfer)
{
    (void)cluster;
    (void)transfer;
    return 0.0;
}

const TopoNet toy_free_net = {.name = "free", .source = "none", .seconds = at_once};

int64_t toy_ledger_sum(const StratTrainResult *result)
{
    int64_t sum = 0;
    for (int b = 0; b < STRAT_BUCKET_COUNT; b++)
        sum += result->ledger_ns[b];
    return sum;
}
