# since 3.11
def grouped():
    try:
        work()
    except* ValueError as group:
        print(group)
    except* (KeyError, OSError):
        pass
    else:
        done()
    finally:
        end()
