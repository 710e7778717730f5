/** Command lines of Megatron-LM, as scenarios. */
#ifndef SCEN_MEGATRON_H
#define SCEN_MEGATRON_H

#include "scen_shell.h"

/** What Orrery does with a flag. */
typedef enum ScenMegatronUse {
    SCEN_MEGATRON_READ,    /* it is in the scenario */
    SCEN_MEGATRON_NOTED,   /* it matters and is not modelled: the scenario says so */
    SCEN_MEGATRON_NOTHING, /* it says nothing about time or memory of a step */
    SCEN_MEGATRON_UNKNOWN,
} ScenMegatronUse;

/** What becomes of the flag @name ("--num-layers"); @note (borrowed) says why it is noted. */
ScenMegatronUse scen_megatron_use(const char *name, const char **note);

/** One flag with its values. */
typedef struct ScenMegatronFlag {
    const ScenShellWord *name; /* borrowed */
    GPtrArray *values;         /* of const ScenShellWord *, borrowed */
} ScenMegatronFlag;

/** A command line, and what is made of it. The first fault is kept in @error, and what is asked
 *  after it is 0: the caller looks once, at the end. */
typedef struct ScenMegatron {
    const char *file;       /* for messages */
    GArray *flags;          /* of ScenMegatronFlag, in order */
    const GPtrArray *unset; /* variables without a value, for messages */
    GPtrArray *notes;       /* of char * */
    int64_t gpus;
    GError *error;
} ScenMegatron;

/** The last flag called @name, NULL when it is not there. Underscores are dashes. */
const ScenMegatronFlag *scen_megatron_flag(const ScenMegatron *m, const char *name);
bool scen_megatron_has(const ScenMegatron *m, const char *name);

/** The value of @name as a whole number of at least @least, @absent when it is not there. */
int64_t scen_megatron_integer(ScenMegatron *m, const char *name, int64_t least, int64_t absent);

/** The same of a flag that must be there. */
int64_t scen_megatron_required(ScenMegatron *m, const char *name);
double scen_megatron_number(ScenMegatron *m, const char *name, double absent);

/** The first value of @name as text, @absent when it is not there. */
const char *scen_megatron_text(ScenMegatron *m, const char *name, const char *absent);

/** Fails at @flag, unless something failed before. */
void scen_megatron_fail(ScenMegatron *m, const ScenMegatronFlag *flag, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/** Sizes that several parts ask. */
typedef struct ScenMegatronShape {
    int64_t layers, tensor, context, pipeline, chunks, expert, experts, data;
} ScenMegatronShape;

/** Append the sections to @out, as YAML. */
void scen_megatron_model(ScenMegatron *m, const ScenMegatronShape *shape, GString *out);
void scen_megatron_plan(ScenMegatron *m, const ScenMegatronShape *shape, GString *out);

/** Where layers stand: stage_layers, count_embedding, count_head; appended to @out. */
void scen_megatron_layout(ScenMegatron *m, const ScenMegatronShape *shape, GString *out);

/** Model chunks of a stage, by whichever flag says so. */
int64_t scen_megatron_chunks(ScenMegatron *m, int64_t layers, int64_t pipeline);

#endif
