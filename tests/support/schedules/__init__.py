"""
Every schedule of a creation, up to a stated depth: a model of the service, and an enumerator.

    list_shapes      how a list behaves, and one page of it
    account_model    the service: what exists, and what a request does
    answer_fates     what can become of a creating request
    choice_trails    picks each way through the choices of a run, once
    model_world      what outlasts a process, what a caller does, what can happen meanwhile
    model_processes  one process of the client against the model
    schedule_walk    processes that die, and those that go on
    promises         what holds in each schedule
    schedule_space   which lists, fates and orders are enumerated
    real_drivers     the same schedules through both clients
    schedule_report  how many there are

The model is independent of the simulator and of the hostile server. A schedule is one way through:
what becomes of each creating request, what happens before each step, and where a process dies.
"""
