// Were these weights trained, or taken from another run and changed a little? Every model finds other parts of the
// validation slice hard. Two trainings of one quality differ from part to part by chance, however alike their settings;
// weights with some bits changed, units exchanged or layers rescaled do not.
//
// The distance of two models is the standard deviation over chunks of the logarithm of the ratio of their losses. How far
// trainings are apart depends on the data and the size of a chunk, so that it is learnt from the pool: the median distance
// of the claim from runs that are known to be trainings of others. A run that is nearer than kNearer of it, or than chance
// brings trainings in kMatchChance of all pairs on so few chunks (chi-square), has the claim's weights.
//
// Measured on 18 models of 1 s of training, with scores from 1.22 to 1.45 and 64 chunks: the nearest other training is 0.58
// to 0.89 of the median away. Models that learnt nothing yet are all alike beside good ones, so that trainings are of
// roughly the claim's score (kTrainingsWithin), and suspects of nearly it (kSuspectsWithin: a thief wants the score).
//
// The claim's losses are the verifier's own measurement, so that its writer cannot blur them. Below kFewestTrainings
// nothing is concluded. A thief who moves every part's loss by as much as trainings differ is not found; he pays for that
// with his score.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace cultivar {

inline constexpr double kNearer = 1.0 / 3;
inline constexpr double kTrainingsWithin = 0.1,
                        kSuspectsWithin = 0.02;  // of the claim's score, for the caller to choose
inline constexpr double kMatchChance = 1e-6;
inline constexpr int kFewestTrainings = 8;

struct Profile {
    std::string name;                // for people
    std::vector<double> chunk_sums;  // of the chunks that were measured, in their order
};

// "its weights are those of NAME: ..." with the figures, for the nearest of `suspects`; "": none is too near, or too few
// `trainings` are known. Profiles of another length than `measured` are passed over.
std::string taken_from(std::span<const double> measured, std::span<const Profile> suspects,
                       std::span<const Profile> trainings);

}  // namespace cultivar
