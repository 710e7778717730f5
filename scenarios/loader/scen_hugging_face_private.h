/** The tables of scen_hugging_face_families.c, for scen_hugging_face.c. */
#ifndef SCEN_HUGGING_FACE_PRIVATE_H
#define SCEN_HUGGING_FACE_PRIVATE_H

#include "scen_node.h"

/** What the code that `model_type` selects does, beyond what a configuration says. */
typedef struct ScenHfFamily {
    const char *type; /* model_type */
    bool gated_mlp, tied_embeddings, qk_norm, embedding_norm, experts;
    const char *bias, *position, *norm;
    const char *note;        /* what is left out of all of the family; NULL: nothing */
    const char *qk_norm_key; /* the flag that says whether there is a norm; NULL: qk_norm does */
    int64_t shared_experts;  /* of every layer, where no key says so */
    bool own_kv_heads;       /* Falcon: several keys say how many */
    const char *dense_ffn;   /* the key of a dense layer's inner width, where it is another */
    struct {
        const char *name;
        int64_t value;
    } defaults[4]; /* numbers that configurations of the family leave out */
} ScenHfFamily;

/** One of our keys and the names that carry its number; the first that is there counts. */
typedef struct ScenHfNumber {
    const char *key;
    const char *names[4];
    bool experts; /* only of families that have experts */
} ScenHfNumber;

/** When a key's value asks for a note. */
typedef enum ScenHfWhen {
    SCEN_HF_WHEN_SET,     /* neither null, false, 0, nor an empty list or map */
    SCEN_HF_WHEN_ABOVE_1, /* a number above 1 */
} ScenHfWhen;

/** A key that says something that is not modelled. */
typedef struct ScenHfNote {
    const char *key;
    ScenHfWhen when;
    const char *unless; /* a flag that, when false, takes it back; NULL: none */
    const char *note;
} ScenHfNote;

const ScenHfFamily *scen_hf_families(size_t *count);
const ScenHfNumber *scen_hf_numbers(size_t *count);
const ScenHfNote *scen_hf_notes(size_t *count);

/** Is @key read by scen_hugging_face.c, or without a part in what a model computes and holds? */
bool scen_hf_key_is_known(const char *key);

#endif
