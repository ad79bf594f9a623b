# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of jobs: which one the backend has, which wait for it, and which goes next."""

from collections.abc import Sequence

from .job import Job, JobState


def running_of(jobs: Sequence[Job]) -> Job | None:
    """The job that the backend has."""
    return next((job for job in jobs if job.state is JobState.RUNNING), None)


def queue_of(jobs: Sequence[Job]) -> list[Job]:
    """The meshes that wait for the backend, the next one first."""
    return [job for job in jobs if job.state is JobState.WAITING and not job.aside]


def next_of(jobs: Sequence[Job]) -> Job | None:
    """The job that goes to the backend next: what an artist is waiting for comes before meshes."""
    waiting = (job for job in jobs if job.state is JobState.WAITING)
    return min(waiting, key=lambda job: not job.aside, default=None)


def move(jobs: list[Job], job: Job, places: int) -> None:
    """Let a job of the queue change places with the one that is so many places behind it, or before it if < 0."""
    waiting = queue_of(jobs)
    place = waiting.index(job) + places if job in waiting else -1
    if 0 <= place < len(waiting):
        here, there = jobs.index(job), jobs.index(waiting[place])
        jobs[here], jobs[there] = jobs[there], jobs[here]
