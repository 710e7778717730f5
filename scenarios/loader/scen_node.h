/** The tree that a document becomes: constant nodes with marks, owned by a pool. */
#ifndef SCEN_NODE_H
#define SCEN_NODE_H

#include "scen_errors.h"

typedef enum ScenNodeKind {
    SCEN_NODE_TEXT, /* a scalar, plain or quoted */
    SCEN_NODE_LIST,
    SCEN_NODE_MAP,
} ScenNodeKind;

typedef struct ScenNode ScenNode;

/** One entry of a map, or of a list (then @key is NULL). */
typedef struct ScenItem {
    const char *key;
    ScenMark key_mark;
    const ScenNode *value;
} ScenItem;

/** Nodes never change once built, so aliases may share them. */
struct ScenNode {
    ScenNodeKind kind;
    ScenMark mark;
    const char *text; /* of a scalar */
    bool quoted;      /* the scalar stood in quotes, so it is no number */
    GArray *items;    /* ScenItem, in file order, of a map or list */
    int64_t size;     /* nodes of the tree below and with this one, every alias counted in full */
    int64_t height;   /* longest way down, 0 for a scalar */
};

/** Owns nodes and their strings. */
typedef struct ScenPool ScenPool;

ScenPool *scen_pool_new(void);
void scen_pool_free(ScenPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenPool, scen_pool_free)

/** A copy of @text that lives as long as @pool. */
const char *scen_pool_text(ScenPool *pool, const char *text);

/** A new scalar; @text is copied. */
ScenNode *scen_node_text(ScenPool *pool, ScenMark mark, const char *text);

/** A new empty list or map, to be filled with scen_node_add() and then left alone. */
ScenNode *scen_node_group(ScenPool *pool, ScenNodeKind kind, ScenMark mark);

/** Appends @value to @group; @key is borrowed, NULL in a list. */
void scen_node_add(ScenNode *group, const char *key, ScenMark key_mark, const ScenNode *value);

/** The entry @key of @map, NULL when it has none or is no map. */
const ScenItem *scen_node_item(const ScenNode *map, const char *key);

/** The value of @key in @map, NULL likewise. */
const ScenNode *scen_node_get(const ScenNode *map, const char *key);

/** A copy of @map in which @key is @value (appended when absent, left out when @value is NULL). */
const ScenNode *scen_node_with(ScenPool *pool, const ScenNode *map, const char *key,
                               ScenMark key_mark, const ScenNode *value);

/** What @node is, for a message: "'abc'", "a map", "a list", "nothing". The caller owns it. */
char *scen_node_describe(const ScenNode *node);

/** @node on one line of YAML, which reads back as the same tree. The caller owns it. */
char *scen_node_flow(const ScenNode *node);

#endif
