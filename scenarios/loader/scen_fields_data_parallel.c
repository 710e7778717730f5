/* The table of `plan.data_parallel:`: how replicas agree. What a map leaves out is 0, the default
 * of each knob; which of them go together is in scen_check_data.c. */
#include "scen_fields.h"
#include "strat_data_parallel.h"

#define FIELD(key, member, of_kind, ...)                                                           \
    SCEN_FIELD(key, StratDataParallel, member, of_kind, __VA_ARGS__)

static const ScenField compression_fields[] = {
    FIELD("kind", compression.kind, SCEN_TEXT,
          .help = "a row of orrery list compressions (default: none)"),
    FIELD("density", compression.density, SCEN_NUMBER, .max = 1.0,
          .help = "top-k: share of the gradients that is sent"),
    FIELD("rank", compression.rank, SCEN_INT, .max = 4096, .help = "powersgd: rank of the factors"),
};

static const ScenTable compression_table = {
    .what = "compression",
    .fields = compression_fields,
    .count = G_N_ELEMENTS(compression_fields),
    .size = sizeof(StratDataParallel),
};

static const ScenField server_fields[] = {
    FIELD("count", servers.count, SCEN_INT, .max = 65536, .help = "machines that serve"),
    FIELD("bandwidth", servers.bytes_per_s, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_RATE_BYTES_PER_S,
          .help = "of one server, each direction (default: all NICs of a node)"),
    FIELD("colocated", servers.colocated, SCEN_BOOL,
          .help = "servers run on the workers' nodes and share their NICs (default: false)"),
    FIELD("pipelined", servers.pipelined, SCEN_BOOL,
          .help = "parts of a tensor are pulled while others are pushed (default: false)"),
    FIELD("local_reduce", servers.local_reduce, SCEN_BOOL,
          .help = "GPUs of a scale-up domain sum first and are one worker (default: false)"),
    FIELD("staleness", servers.staleness, SCEN_INT, .max = 1e6,
          .help = "steps that a worker may be ahead of the slowest; 0: synchronous (default)"),
    FIELD("unbounded", servers.unbounded, SCEN_BOOL,
          .help = "asynchronous: nobody waits for anybody (default: false)"),
    FIELD("variation", servers.variation, SCEN_NUMBER, .max = 10.0,
          .help = "of a worker's step: standard deviation over the mean (default: 0)"),
    FIELD("updates", servers.updates, SCEN_INT, .max = 1e5,
          .help = "simulated, of each worker (default: 200)"),
};

static const ScenTable server_table = {
    .what = "servers",
    .fields = server_fields,
    .count = G_N_ELEMENTS(server_fields),
    .size = sizeof(StratDataParallel),
};

static const ScenField island_fields[] = {
    FIELD("count", islands.count, SCEN_INT, .max = 65536, .help = "islands of replicas"),
    FIELD("inner_steps", islands.inner_steps, SCEN_INT, .max = 1e6,
          .help = "steps between two exchanges of the same weights"),
    FIELD("fragments", islands.fragments, SCEN_INT, .max = 65536,
          .help = "parts of the model, exchanged in turn (default: 1)"),
    FIELD("bandwidth", islands.bytes_per_s, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_RATE_BYTES_PER_S, .help = "of an island's link, each direction"),
    FIELD("latency", islands.latency_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "one way between two islands, in s (default: 0)"),
    FIELD("hidden_steps", islands.hidden_steps, SCEN_NUMBER, .max = 1e6,
          .help = "inner steps that an exchange may take before anybody waits (default: 0)"),
    FIELD("outer", islands.outer, SCEN_ENUM, .names = scen_dtype_names,
          .help = "type in which differences are sent (default: fp32)"),
    FIELD("offload", islands.offload, SCEN_BOOL,
          .help = "the outer optimizer is in host memory (default: false)"),
};

static const ScenTable island_table = {
    .what = "islands",
    .fields = island_fields,
    .count = G_N_ELEMENTS(island_fields),
    .size = sizeof(StratDataParallel),
};

static const ScenField fields[] = {
    FIELD("exchange", exchange, SCEN_TEXT,
          .help = "a row of orrery list exchanges (default: all-reduce)"),
    FIELD("bucket", buckets.bytes, SCEN_QUANTITY, .zero = true, .dimension = SCEN_DATA_BYTES,
          .help = "gradients reduced at once, in bytes (default: up to eight pieces a chunk)"),
    FIELD("bucket_parameters", buckets.parameters, SCEN_NUMBER, .max = 1e15,
          .help = "the same as a number of parameters, as Megatron-Core says it"),
    FIELD("first_bucket", buckets.first_bytes, SCEN_QUANTITY, .zero = true,
          .dimension = SCEN_DATA_BYTES,
          .help = "of the bucket that is full first, in bytes (default: as the others)"),
    FIELD("bucket_copies", buckets.copied, SCEN_BOOL,
          .help = "buckets are copies of the gradients, not views (default: false)"),
    SCEN_GROUP("compression", &compression_table, .help = "fewer bytes for the same gradients"),
    SCEN_GROUP("servers", &server_table, .help = "of exchange parameter-server"),
    SCEN_GROUP("islands", &island_table, .help = "local SGD between slow links"),
};

/* One part of the model unless it says more. */
static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    (void)binder;
    (void)map;
    StratDataParallel *dp = out;
    if (dp->islands.count > 1 && dp->islands.fragments == 0)
        dp->islands.fragments = 1;
}

const ScenTable scen_data_parallel_table = {
    .what = "data_parallel",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratDataParallel),
    .finish = finish,
};
