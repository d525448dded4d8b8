/** Stand-ins for what a server like this talks to. They keep nothing, and tell on stderr what is done with them. */

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly status: string;
}

const examples: readonly Task[] = [{ id: "1", title: "Example", status: "open" }];

/** Stands for a connection to your database. */
export class Database {
  static async connect(): Promise<Database> {
    console.error("[DATABASE] connected");
    return new Database();
  }

  async list(status: string): Promise<readonly Task[]> {
    return examples.filter((task) => status === "all" || task.status === status);
  }

  async find(id: string): Promise<Task | undefined> {
    return examples.find((task) => task.id === id);
  }

  async insert<T extends object>(task: T): Promise<T & { readonly id: string }> {
    return { id: "new", ...task };
  }

  async delete(id: string): Promise<{ readonly deleted: string }> {
    return { deleted: id };
  }

  async close(): Promise<void> {
    console.error("[DATABASE] closed");
  }
}

/** Stands for your mail, or your chat. */
export async function sendNotification(subject: string, text: string): Promise<void> {
  console.error(`[NOTIFICATION] ${subject}: ${text}`);
}
