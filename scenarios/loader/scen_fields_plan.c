/* The table of a training plan.
 *
 * Parallel sizes default to 1 (experts are not cut: Megatron-Core would cut them as tensor does,
 * its recipes do not) and `data` to whatever the GPUs leave. Overlaps default to off, so a plan
 * claims only what it says. The schedule defaults to the plain one for the pipeline: none for one
 * stage, 1F1B for several, interleaved 1F1B for several chunks a stage. Schedules that hold two
 * chunks a stage need not be told so. */
#include "scen_fields.h"
#include "strat_plan.h"
#include "strat_schedule.h"

static const ScenName deals[] = {
    {"even",     STRAT_DEAL_EVEN    },
    {"by-speed", STRAT_DEAL_BY_SPEED},
    {NULL,       0                  },
};

static const ScenName recomputes[] = {
    {"none",      STRAT_RECOMPUTE_NONE     },
    {"selective", STRAT_RECOMPUTE_SELECTIVE},
    {"full",      STRAT_RECOMPUTE_FULL     },
    {"per-op",    STRAT_RECOMPUTE_PER_OP   },
    {NULL,        0                        },
};

static const ScenName attentions[] = {
    {"unfused", STRAT_ATTENTION_UNFUSED},
    {"flash",   STRAT_ATTENTION_FLASH  },
    {"flash-1", STRAT_ATTENTION_FLASH_1},
    {"flash-2", STRAT_ATTENTION_FLASH_2},
    {NULL,      0                      },
};

static const ScenName optimizers[] = {
    {"none",         STRAT_OPTIMIZER_NONE        },
    {"adam",         STRAT_OPTIMIZER_ADAM        },
    {"adam-bf16",    STRAT_OPTIMIZER_ADAM_BF16   },
    {"adam-8bit",    STRAT_OPTIMIZER_ADAM_8BIT   },
    {"sgd",          STRAT_OPTIMIZER_SGD         },
    {"sgd-momentum", STRAT_OPTIMIZER_SGD_MOMENTUM},
    {"adafactor",    STRAT_OPTIMIZER_ADAFACTOR   },
    {"muon",         STRAT_OPTIMIZER_MUON        },
    {NULL,           0                           },
};

static const ScenName schedules[] = {
    {"none",             0},
    {"gpipe",            0},
    {"1f1b",             0},
    {"interleaved-1f1b", 0},
    {"breadth-first",    0},
    {"zb-h1",            0},
    {"zb-h2",            0},
    {"zb-1p",            0},
    {"zb-2p",            0},
    {"zb-v",             0},
    {"dualpipe",         0},
    {"dualpipe-v",       0},
    {NULL,               0},
};

#define FIELD(key, member, of_kind, ...) SCEN_FIELD(key, StratPlan, member, of_kind, __VA_ARGS__)

static const ScenField overlap_fields[] = {
    FIELD("data", overlap_data, SCEN_BOOL, .fallback = "false",
          .help = "gradient and parameter traffic under the backward and forward"),
    FIELD("tensor", overlap_tensor, SCEN_BOOL, .fallback = "false",
          .help = "chunked all-gather and reduce-scatter under their GEMMs"),
    FIELD("expert", overlap_expert, SCEN_BOOL, .fallback = "false",
          .help = "tokens to experts and back under another microbatch's compute"),
    FIELD("tensor_backward", overlap_tensor_backward, SCEN_BOOL, .fallback = "false",
          .help = "tensor traffic of the backward under the weights' gradient"),
    FIELD("pipeline", overlap_pipeline, SCEN_BOOL, .fallback = "false",
          .help = "sends under compute"),
};

static const ScenTable overlap_table = {
    .what = "overlap",
    .fields = overlap_fields,
    .count = G_N_ELEMENTS(overlap_fields),
    .size = sizeof(StratPlan),
};

#define MEASURED(key, member, ...)                                                                 \
    SCEN_FIELD(key, StratProfiled, member, SCEN_QUANTITY, .dimension = SCEN_TIME_S, __VA_ARGS__)

static const ScenField profiled_fields[] = {
    MEASURED("forward", forward_s, .required = true, .help = "one stage and microbatch, in s"),
    MEASURED("backward_input", backward_input_s, .required = true,
             .help = "gradient of the activations, in s"),
    MEASURED("backward_weight", backward_weight_s, .zero = true,
             .help = "gradient of the weights, in s; 0 when backward_input has both"),
    MEASURED("send", send_s, .zero = true,
             .help = "one activation to the next stage, in s; 0: ask the network"),
};

static const ScenTable profiled_table = {
    .what = "profiled",
    .fields = profiled_fields,
    .count = G_N_ELEMENTS(profiled_fields),
    .size = sizeof(StratProfiled),
};

static void finish(ScenBinder *binder, const ScenNode *map, void *out)
{
    (void)binder;
    StratPlan *plan = out;
    if (scen_node_get(map, "schedule")) {
        const StratSchedule *schedule =
            plan->schedule ? strat_schedule_by_name(plan->schedule, NULL) : NULL;
        if (schedule && (schedule->is_v || schedule->is_dual) &&
            !scen_node_get(map, "virtual_stages"))
            plan->virtual_stages = 2;
        return;
    }
    plan->schedule = plan->pipeline <= 1        ? "none"
                     : plan->virtual_stages > 1 ? "interleaved-1f1b"
                                                : "1f1b";
}

static const ScenField fields[] = {
    FIELD("name", name, SCEN_TEXT, .fallback = "inline", .help = "name in reports"),
    FIELD("source", source, SCEN_TEXT, .help = "where the plan comes from"),
    FIELD("tensor", tensor, SCEN_INT, .min = 1, .max = 65536, .fallback = "1",
          .help = "tensor-parallel GPUs"),
    FIELD("context", context, SCEN_INT, .min = 1, .max = 65536, .fallback = "1",
          .help = "context-parallel GPUs"),
    FIELD("pipeline", pipeline, SCEN_INT, .min = 1, .max = 65536, .fallback = "1",
          .help = "pipeline stages"),
    FIELD("virtual_stages", virtual_stages, SCEN_INT, .min = 1, .max = 65536, .fallback = "1",
          .help =
              "model chunks of a pipeline stage (default: 2 where the schedule has two, else 1)"),
    FIELD("data", data, SCEN_INT, .max = 1e6,
          .help = "data-parallel replicas; 0: whatever the GPUs leave (default)"),
    FIELD("expert", expert, SCEN_INT, .max = 65536,
          .help =
              "GPUs that share the routed experts out (default: 1 where the model has experts)"),
    FIELD("expert_tensor", expert_tensor, SCEN_INT, .min = 1, .max = 65536, .fallback = "1",
          .help = "GPUs that cut each routed expert: 1 (default), or as tensor"),
    FIELD("expert_capacity", expert_capacity, SCEN_NUMBER, .max = 1e4,
          .help = "rows that an expert takes, over the mean; 0: dropless (default)"),
    FIELD("expert_imbalance", expert_imbalance, SCEN_NUMBER, .max = 1e4,
          .help = "rows of the busiest expert rank over the mean (default: expert_zipf's)"),
    FIELD("expert_histogram", expert_histogram, SCEN_TEXT,
          .help = "rows that each expert gets, or any measure of them, \"9 4*3 1\"; n*k: k of n"),
    FIELD("expert_zipf", expert_zipf, SCEN_NUMBER, .max = 10.0,
          .help = "expert j is wanted as j to the power of minus this; 0: all alike (default)"),
    FIELD("expert_nodes", expert_nodes, SCEN_INT, .max = 65536,
          .help = "scale-up domains that a token's experts may lie in; 0: any (default)"),
    FIELD("expert_kernels", expert_kernels, SCEN_SECTION, .zero = true, .table = &scen_expert_table,
          .help = "dispatch and combine kernels (default: the library's all-to-all)"),
    FIELD("expert_software", expert_software, SCEN_MAP, .table = &scen_moe_software_table,
          .help = "what the software does with layers of experts, and its host (default: nothing)"),
    FIELD("micro_batch", micro_batch, SCEN_INT, .min = 1, .max = 1e6, .fallback = "1",
          .help = "sequences of one microbatch, per replica"),
    FIELD("global_batch", global_batch, SCEN_INT, .required = true, .min = 1, .max = 1e8,
          .help = "sequences of one step"),
    FIELD("replica_microbatches", replica_microbatches, SCEN_ENUM, .names = deals,
          .fallback = "even", .help = "microbatches of each replica, on nodes of two kinds"),
    FIELD("sequence_length", sequence_length, SCEN_INT, .min = 1, .max = 1e8,
          .help = "tokens of one sequence (default: the model's max_sequence)"),
    FIELD("sequence_parallel", sequence_parallel, SCEN_BOOL, .fallback = "false",
          .help = "norms and dropouts split along the sequence over the tensor group"),
    FIELD("schedule", schedule, SCEN_TEXT, .names = schedules,
          .help = "pipeline schedule (default: 1f1b, interleaved with virtual stages)"),
    FIELD("stage_layers", stage_layers, SCEN_TEXT,
          .help = "layers of each chunk in the model's order, as '3 4*14 2' (default: evenly)"),
    FIELD("count_embedding", count_embedding, SCEN_BOOL, .fallback = "false",
          .help = "the embedding takes a layer's place in the first stage"),
    FIELD("count_head", count_head, SCEN_BOOL, .fallback = "false",
          .help = "the head takes a layer's place in the last stage"),
    FIELD("uneven_layers", uneven_layers, SCEN_BOOL, .fallback = "false",
          .help = "virtual stages need not have as many layers each (Megatron's own layouts)"),
    FIELD("recompute", recompute, SCEN_ENUM, .names = recomputes, .fallback = "none",
          .help = "what the backward recomputes"),
    FIELD("recompute_parts", recompute_parts, SCEN_MAP, .table = &scen_recompute_parts_table,
          .help = "cheap parts of a layer that the backward repeats as well (default: none)"),
    FIELD("recompute_stops_early", recompute_stops_early, SCEN_BOOL, .fallback = "false",
          .help = "full recomputation leaves out a layer's last product, as PyTorch's does"),
    FIELD("recompute_layers", recompute_layers, SCEN_MAP, .table = &scen_recompute_table,
          .help = "in which layers (default: all)"),
    FIELD("attention", attention, SCEN_ENUM, .names = attentions, .fallback = "flash",
          .help = "how scores are computed"),
    FIELD("precision", precision, SCEN_ENUM, .names = scen_dtype_names, .fallback = "bf16",
          .help = "of the GEMMs"),
    FIELD("gradients", gradients, SCEN_ENUM, .names = scen_dtype_names, .fallback = "fp32",
          .help = "type in which gradients are kept and reduced"),
    FIELD("optimizer", optimizer, SCEN_ENUM, .names = optimizers, .fallback = "adam",
          .help = "a row of `orrery list optimizers`"),
    FIELD("no_master", no_master, SCEN_BOOL, .fallback = "false",
          .help = "16-bit weights are updated themselves, without an fp32 copy beside"),
    FIELD("offload", offload, SCEN_MAP, .table = &scen_offload_table,
          .help = "what is kept in host memory or on disk (default: nothing)"),
    FIELD("adapters", adapters, SCEN_MAP, .table = &scen_adapters_table,
          .help = "low-rank adapters, which alone are trained (default: all weights are)"),
    FIELD("distill", distill, SCEN_MAP, .table = &scen_distill_table,
          .help = "the teacher whose outputs are learnt (default: none)"),
    FIELD("sparsity", sparsity, SCEN_MAP, .table = &scen_sparsity_table,
          .help = "linear layers with 2:4 sparse weights (default: dense)"),
    FIELD("zero_stage", zero_stage, SCEN_INT, .max = 3, .fallback = "0",
          .help =
              "what ranks shard: 0 nothing, 1 optimizer states, 2 and gradients, 3 and weights"),
    FIELD("shard", shard, SCEN_INT, .max = 1e6,
          .help = "ranks that share one copy of it (HSDP); 0: all of the data group (default)"),
    FIELD("reshard_after_forward", reshard_after_forward, SCEN_BOOL, .fallback = "true",
          .help = "zero_stage 3: weights are gathered again for the backward (default: true)"),
    FIELD("no_sync", no_sync, SCEN_BOOL, .fallback = "false",
          .help = "zero_stage 2 and 3: gradients are reduced after the last microbatch alone"),
    FIELD("prefetch", prefetch, SCEN_INT, .max = 1e4, .fallback = "1",
          .help = "zero_stage 3: layers gathered ahead of the one that computes (default: 1)"),
    FIELD("owner_hop", owner_hop_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "zero_stage 1: whole tensors have owners, whose broadcasts take this long from "
                  "rank to rank, in s; 0: tensors are cut (default)"),
    FIELD("data_nic_fraction", data_nic_fraction, SCEN_NUMBER, .max = 1.0,
          .help = "of the NICs' bandwidth that data-parallel traffic uses; 0: all (default)"),
    FIELD("fp32_parameters", fp32_parameters, SCEN_BOOL, .fallback = "false",
          .help = "weights are kept in fp32 (DDP, FSDP), not in 16 bits with an fp32 master"),
    FIELD("pipeline_shards_no_gradients", pipeline_shards_no_gradients, SCEN_BOOL,
          .fallback = "false",
          .help = "the software refuses zero_stage 2 and 3 with a pipeline, as DeepSpeed's does"),
    FIELD("synchronous_optimizer", synchronous_optimizer, SCEN_BOOL, .fallback = "false",
          .help = "stages of a zero-bubble schedule wait for all before the next step"),
    FIELD("dropout", dropout, SCEN_BOOL, .fallback = "false", .help = "dropout, masks kept"),
    FIELD("fused_kernels", fused_kernels, SCEN_BOOL, .fallback = "true",
          .help = "bias, activation, dropout, add, mask and softmax fused"),
    SCEN_GROUP("tensor_parallel", &scen_tensor_table, .help = "how tensor ranks share a layer"),
    SCEN_GROUP("context_parallel", &scen_context_table,
               .help = "how context ranks share a sequence"),
    SCEN_GROUP("overlap", &overlap_table, .help = "what communication hides under compute"),
    FIELD("send_whole", send_whole, SCEN_BOOL, .fallback = "false",
          .help = "each tensor rank sends whole activations to the next stage, not its share"),
    FIELD("host_stall", host_stall_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "the GPU waits for its host after each blocking exchange, in s (default: 0)"),
    FIELD("kernel_gap", kernel_gap_s, SCEN_QUANTITY, .zero = true, .dimension = SCEN_TIME_S,
          .help = "idle before each kernel, where the host cannot run ahead, in s (default: 0)"),
    FIELD("library_fraction", library_fraction, SCEN_NUMBER, .min = 0.1, .max = 2.0,
          .fallback = "1",
          .help = "speed of that generation's kernels over the profile's (default: 1)"),
    FIELD("comm_slowdown", comm_slowdown, SCEN_NUMBER, .max = 1.0,
          .help = "share of compute lost while a collective runs beside it (default: 0)"),
    FIELD("model_error", model_error_fraction, SCEN_NUMBER, .max = 1.0,
          .help = "standard error of a step for what no cost covers, as a fraction"),
    FIELD("footprint", footprint, SCEN_MAP, .table = &scen_footprint_table,
          .help = "what the software holds in memory besides"),
    FIELD("data_parallel", data_parallel, SCEN_MAP, .table = &scen_data_parallel_table,
          .help = "how replicas agree, if not by an all-reduce of whole gradients"),
    FIELD("quantise", quantise, SCEN_MAP, .table = &scen_quantise_table,
          .help = "linear layers in less than 16 bits: scaling, what stays wide"),
    FIELD("profiled", profiled, SCEN_MAP, .table = &profiled_table,
          .help = "measured times of a stage, instead of the cost model"),
};

const ScenTable scen_plan_table = {
    .what = "plan",
    .fields = fields,
    .count = G_N_ELEMENTS(fields),
    .size = sizeof(StratPlan),
    .catalog = SCEN_CATALOG_PLAN,
    .finish = finish,
};
