/** An engine's own kernels, as a profiler measured them layer by layer: tables, and what an
 *  iteration costs by them. See strat_profile_price.c. */
#ifndef STRAT_PROFILE_PRICE_H
#define STRAT_PROFILE_PRICE_H

#include "model_spec.h"
#include "strat_batch.h"

#include <glib.h>

/** Layers that a profile has a curve of, over the tokens or the sequences of an iteration. */
typedef enum StratProfileLayer {
    STRAT_PROFILE_EMBEDDING,
    STRAT_PROFILE_NORM,
    STRAT_PROFILE_QKV,
    STRAT_PROFILE_QK_NORM,
    STRAT_PROFILE_ROTARY,
    STRAT_PROFILE_OUT,
    STRAT_PROFILE_UP,
    STRAT_PROFILE_ACTIVATION,
    STRAT_PROFILE_DOWN,
    STRAT_PROFILE_FINAL_NORM,
    STRAT_PROFILE_HEAD,    /* over sequences, and so is */
    STRAT_PROFILE_SAMPLER, /* this one */
    STRAT_PROFILE_LAYERS
} StratProfileLayer;

/** Name in the profiler's files ("qkv_proj"). */
const char *strat_profile_layer_name(StratProfileLayer layer);

/** Seconds over one variable, measured at points of increasing @at. */
typedef struct StratProfileCurve {
    GArray *at, *seconds; /* of double */
} StratProfileCurve;

/** The curve at @x: linear between points and beyond the last two, the first before it; 0 of an
 *  empty one. */
double strat_profile_curve_s(const StratProfileCurve *curve, double x);

/** Adds a point; @at must not fall. A second one at the same place replaces the first. */
void strat_profile_curve_add(StratProfileCurve *curve, double at, double seconds);

typedef struct StratProfile StratProfile;

/** No tables yet. Free with strat_profile_free(). */
StratProfile *strat_profile_new(void);
void strat_profile_free(StratProfile *profile);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StratProfile, strat_profile_free)

/** The curve of @layer, to be filled. Borrowed. */
StratProfileCurve *strat_profile_of(StratProfile *profile, StratProfileLayer layer);

/** Adds a measurement of attention in one layer: a chunk of @chunk tokens after @past (0: none)
 *  beside @decodes sequences of @context tokens each. Rows come ordered by chunk, decodes, past,
 *  context. */
void strat_profile_add_attention(StratProfile *profile, double chunk, double decodes, double past,
                                 double context, double seconds);

/** Adds a measurement of a layer of experts: @tokens that touch @touched experts of a rank. Rows
 *  come ordered by touched, tokens. */
void strat_profile_add_experts(StratProfile *profile, double touched, double tokens,
                               double seconds);

/** What unequal contexts cost decodes: of the way from the time at their mean to that at the
 *  longest, the share @alpha; for at most @decodes sequences, whose mean lies at most @rate of the
 *  way from nothing to the longest, which has at most @longest tokens. The tightest row holds. */
void strat_profile_add_skew(StratProfile *profile, double decodes, double rate, double longest,
                            double alpha);

/** Whether the curves that every model needs are there. @error: which are not. */
bool strat_profile_check(const StratProfile *profile, GError **error);

/** Seconds of all layers of @model for @tokens, without attention and experts: its products and
 *  everything else. */
void strat_profile_tokens(const StratProfile *profile, const ModelSpec *model, double tokens,
                          double *linear_s, double *passes_s);

/** Seconds of the head and the sampler for @sequences. */
double strat_profile_head_s(const StratProfile *profile, double sequences);

/** Seconds of attention in one layer: what decodes take alone, and what prompts add. */
void strat_profile_attention(const StratProfile *profile, const StratBatch *batch,
                             double *prefill_s, double *decode_s);

/** Seconds of one layer of experts. */
double strat_profile_experts_s(const StratProfile *profile, double touched, double tokens);

#endif
