/* SPDX-License-Identifier: MIT */
#pragma once

#include <json-c/json.h>

#include "truth.h"

/*
 * truth_compare_facts() - compare everything of a record but its path with the truth
 * @wrong:   gets what is said and not true, as text; empty when nothing is
 * @unknown: gets the facts about the deleter that are not said
 */
void truth_compare_facts(const TruthItem *item, struct json_object *record, char *wrong,
                         size_t n_wrong, char *unknown, size_t n_unknown);
