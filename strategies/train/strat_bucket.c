/* Names of the ledger's accounts. Communication accounts hold only what compute had to wait for:
 * traffic hidden under compute costs no GPU time. */
#include "strat_bucket.h"

static const struct {
    const char *key, *title;
} names[STRAT_BUCKET_COUNT] = {
    [STRAT_BUCKET_GEMM] = {"gemm",                           "matrix products"            },
    [STRAT_BUCKET_ATTENTION] = {"attention",                      "attention core"             },
    [STRAT_BUCKET_ELEMENTWISE] = {"elementwise",                    "norms, activations, dropout"},
    [STRAT_BUCKET_EMBEDDING_HEAD] = {"embedding_head",                 "embedding, logits, loss"    },
    [STRAT_BUCKET_TEACHER] = {"teacher",                        "teacher's forward"          },
    [STRAT_BUCKET_RECOMPUTE] = {"recompute",                      "recomputation"              },
    [STRAT_BUCKET_TENSOR_COMM] = {"exposed_tensor_communication",   "exposed tensor comm."       },
    [STRAT_BUCKET_CONTEXT_COMM] = {"exposed_context_communication",  "exposed context comm."      },
    [STRAT_BUCKET_EXPERT_COMM] = {"exposed_expert_communication",   "exposed expert comm."       },
    [STRAT_BUCKET_PIPELINE_COMM] = {"exposed_pipeline_communication", "exposed pipeline comm."     },
    [STRAT_BUCKET_DATA_COMM] = {"exposed_data_communication",     "exposed data comm."         },
    [STRAT_BUCKET_OFFLOAD] = {"exposed_offload",                "exposed offload"            },
    [STRAT_BUCKET_HOST] = {"host_stall",                     "host synchronisation"       },
    [STRAT_BUCKET_BUBBLE] = {"pipeline_bubble",                "pipeline bubble"            },
    [STRAT_BUCKET_OPTIMIZER] = {"optimizer",                      "optimizer"                  },
};

const char *strat_bucket_key(StratBucket bucket)
{
    return names[bucket].key;
}

const char *strat_bucket_title(StratBucket bucket)
{
    return names[bucket].title;
}

bool strat_bucket_is_comm(StratBucket bucket)
{
    return bucket == STRAT_BUCKET_TENSOR_COMM || bucket == STRAT_BUCKET_CONTEXT_COMM ||
           bucket == STRAT_BUCKET_EXPERT_COMM;
}

StratBucket strat_bucket_of_part(ModelPart part)
{
    static const StratBucket buckets[] = {
        [MODEL_PART_LINEAR] = STRAT_BUCKET_GEMM,
        [MODEL_PART_ATTENTION] = STRAT_BUCKET_ATTENTION,
        [MODEL_PART_ELEMENTWISE] = STRAT_BUCKET_ELEMENTWISE,
        [MODEL_PART_EMBEDDING] = STRAT_BUCKET_EMBEDDING_HEAD,
        [MODEL_PART_HEAD] = STRAT_BUCKET_EMBEDDING_HEAD,
        [MODEL_PART_ROUTER] = STRAT_BUCKET_GEMM,
    };
    return buckets[part];
}
