// The layout of a model: its tensors and the place of each in one flat buffer of floats. No torch.
//
// Parameters, gradients and optimizer state are each one buffer with this layout, so that optimizers, checkpoints and
// the artifact walk over plain memory. Names are those of Parameter Golf's train_gpt.py, except that the two rows of
// its resid_mix are two tensors here; tensors that the script lacks have our own names. Tensors of one optimizer group
// are neighbours; so are the matrices of a block with the same input (c_q, c_k, c_v; fc, gate), which serve as one
// matrix.
#pragma once

#include <string>
#include <vector>

#include "train/lm/config/lm_config.h"

namespace cultivar {

// The optimizer group of a tensor, each with its own rate: Muon or AdamW trains the blocks' matrices, Adam the rest.
// `embedding` also has the bigram table and its projection.
enum class Group { matrix, embedding, head, scalar };

// The part of the model that decides a tensor's precision in the artifact.
enum class Part { attention, mlp, embedding, control };

// Distribution of the initial values.
enum class Start {
    uniform,  // fill * U(-1/sqrt(columns), 1/sqrt(columns)); 1 is torch.nn.Linear's default
    normal,   // N(0, fill)
    constant  // fill
};

struct TensorPlace {
    std::string name;
    std::vector<std::int64_t> shape;  // one or two dimensions
    Group group = Group::scalar;
    Part part = Part::control;
    Start start = Start::constant;
    double fill = 0;
    std::int64_t begin = 0;  // in floats from the start of the buffer
    std::int64_t size = 0;

    bool control() const { return group == Group::scalar; }  // always kept in fp32 by the artifact
};

struct Layout {
    std::vector<TensorPlace> tensors;  // in order of `begin`, without gaps
    std::int64_t size = 0;             // the model's parameters

    const TensorPlace* find(const std::string& name) const;                       // null if there is no such tensor
    const TensorPlace& at(const std::string& name) const { return *find(name); }  // the name must exist
};

Layout make_layout(const ModelConfig& config);

// The range of floats [begin, begin + size) of a group.
struct GroupRange {
    std::int64_t begin = 0, size = 0;
};
GroupRange group_range(const Layout& layout, Group group);

}  // namespace cultivar
